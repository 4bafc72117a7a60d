import type { Severity } from '../rules/rule.ts'

/** Checks of a manifest before the admission rules. `--rule` does not change them, because kubectl has no such option. */
export const manifestRules = {
  MANIFEST: { severity: 'deny', summary: 'The document cannot be read, or is not a Kubernetes object.' },
  KIND: { severity: 'deny', summary: 'The kind or its version does not exist, but looks like a DittoServer.' },
  'UNKNOWN-FIELD': { severity: 'deny', summary: 'A field that the schema does not have.' },
  METADATA: { severity: 'deny', summary: 'Names, labels, annotations and other metadata must be valid for the API server.' },
  'DUPLICATE-KEY': { severity: 'warn', summary: 'A key occurs twice. kubectl uses the last value, without a warning.' },
  FAULT: { severity: 'deny', summary: 'The object could not be judged, because of a bug in dittofs-operator.' },
} as const satisfies Readonly<Record<string, { readonly severity: Exclude<Severity, 'off'>, readonly summary: string }>>
