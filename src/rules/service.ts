import { annotationName } from '../dittoserver/patterns.ts'
import type { Complaint, Rule } from './rule.ts'

const field = 'spec.service.annotations'
const isName = new RegExp(annotationName)
const allowed = 'must be NAME or DOMAIN/NAME, with at most 63 and 253 characters'

/** Kubernetes allows 262144 bytes; the rest is a reserve for annotations of the operator and of others. */
const mostBytes = 256_000

const bytesOf = (annotations: Readonly<Record<string, string>>) =>
  Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

export const serviceAnnotations: Rule = {
  id: 'SVC-ANNOTATION',
  severity: 'deny',
  summary: 'Annotations of the Services must be valid Kubernetes annotations.',
  cel: [
    { at: field, rule: `self.all(key, key.size() <= 317 && key.matches(r'${annotationName}'))`, message: `keys ${allowed} [SVC-ANNOTATION]` },
    {
      at: field,
      rule: `self.map(key, bytes(key).size() + bytes(self[key]).size()).sum() <= ${mostBytes}`,
      message: `must have at most ${mostBytes} bytes in total [SVC-ANNOTATION]`,
    },
  ],
  judge: ({ server: { spec: { service: { annotations } } } }) => {
    if (!annotations) return []
    const complaints: Complaint[] = Object.keys(annotations)
      .filter(key => key.length > 317 || !isName.test(key) || key.lastIndexOf('/') > 253)
      .map(key => ({ field, problem: 'Invalid value', found: key, detail: allowed }))
    if (bytesOf(annotations) > mostBytes) complaints.push({ field, problem: 'Forbidden', detail: `must have at most ${mostBytes} bytes in total` })
    return complaints
  },
  example: { spec: { service: { annotations: { 'example.com/a/b': 'x' } } } },
}
