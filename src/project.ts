import { version } from './version.ts'

/** The location of the source. A release writes its own location into the chart that it publishes. */
export const repository = 'https://github.com/dittofs/dittofs-operator'

/** A page of the documentation of this version, for example `rules.md#sc-missing`. */
export const documentation = (page: string): string => `${repository}/blob/v${version}/docs/${page}`
