import { changesOf } from './changelog.ts'

/** The sources that must name the same version before anything is published. */
export interface Versions {
  readonly version: string
  /** The version in the lockfile. */
  readonly locked: string
  /** The git tag, such as `v1.2.3`; absent in a dry run. */
  readonly tag?: string
  /** The whole changelog. */
  readonly changelog: string
  readonly chart: { readonly version: string, readonly appVersion: string }
}

/** One sentence for each disagreement. */
export function disagreements ({ version, locked, tag, changelog, chart }: Versions): readonly string[] {
  return [
    ...tag === undefined || tag === `v${version}` ? [] : [`the tag is '${tag}', and package.json says ${version}: it must be 'v${version}'`],
    ...locked === version ? [] : [`package-lock.json says ${locked}, and package.json ${version}: run npm install`],
    ...chart.version === version && chart.appVersion === version
      ? []
      : [`manifests/chart/Chart.yaml says ${chart.version} and ${chart.appVersion}, and package.json ${version}: run npm run generate`],
    ...changesOf(changelog, version) === undefined ? [`CHANGELOG.md has no section '## ${version}' with text`] : [],
  ]
}
