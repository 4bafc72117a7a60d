/**
 * Regular expressions of the API, in the common subset of ECMAScript and RE2: the API server (Go, RE2) and ajv (ECMAScript)
 * must give the same verdict. No look-around, no back-references.
 */

/** A volume size: whole mebi-, gibi- or tebibytes. */
export const volumeSize = '^[0-9]+(Gi|Mi|Ti)$'

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const decimal = '([0-9]+(\\.[0-9]*)?|\\.[0-9]+)'
export const quantity = `^[+-]?${decimal}([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$`

/** https://pkg.go.dev/time#ParseDuration, positive ones only: `d` is not a unit. */
export const goDuration = `^(${decimal}(ns|us|µs|μs|ms|s|m|h))+$`

/** A size as the server's own configuration reads it: `1GB` is 10^9 bytes, `1GiB` is 2^30. */
export const byteSize = '^[0-9]+(\\.[0-9]+)? ?([kKmMgGtT]?[bB]?|[kKmMgGtT][iI][bB]?)$'

export const dns1123Subdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
export const dns1035Label = '^[a-z]([-a-z0-9]*[a-z0-9])?$'
/** Empty where the name of the Secret is empty too; rules see to the rest. */
export const secretKey = '^[-._a-zA-Z0-9]*$'

const anyCase = (names: string) => names.split(' ').map(name => [...name].map(c => `[${c.toUpperCase()}${c}]`).join('')).join('|')
const cronField = (value: string) => {
  const range = `(\\*|\\?|(${value})(-(${value}))?)(/[1-9][0-9]*)?`
  return `${range}(,${range})*`
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax: five fields or a macro. */
export const cronSchedule = `^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|${[
  '[0-5]?[0-9]',
  '[01]?[0-9]|2[0-3]',
  '0?[1-9]|[12][0-9]|3[01]',
  `0?[1-9]|1[0-2]|${anyCase('jan feb mar apr may jun jul aug sep oct nov dec')}`,
  `[0-6]|${anyCase('sun mon tue wed thu fri sat')}`,
].map(cronField).join(' +')})$`
