/**
 * Regular expressions of the API, in the common subset of ECMAScript and RE2: the API server (Go, RE2) and ajv (ECMAScript)
 * must give the same verdict. No look-around, no back-references.
 */

/** A volume size: whole mebi-, gibi- or tebibytes, above zero. */
export const volumeSize = '^0*[1-9][0-9]*(Gi|Mi|Ti)$'

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const decimal = '([0-9]+(\\.[0-9]*)?|\\.[0-9]+)'
const suffix = '([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?'
/** With any sign: everything that the API server can parse. */
export const signedQuantity = `^[+-]?${decimal}${suffix}$`
/** Zero or more. */
export const quantity = `^[+]?${decimal}${suffix}$`
export const positiveQuantity = `^[+]?(0*[1-9][0-9]*(\\.[0-9]*)?|0*\\.0*[1-9][0-9]*)${suffix}$`

/** https://pkg.go.dev/time#ParseDuration, positive ones only: `d` is not a unit. */
export const goDuration = `^(${decimal}(ns|us|µs|μs|ms|s|m|h))+$`

/** A size as the server's own configuration reads it: `1GB` is 10^9 bytes, `1GiB` is 2^30. */
export const byteSize = '^[0-9]+(\\.[0-9]+)? ?([kKmMgGtT]?[bB]?|[kKmMgGtT][iI][bB]?)$'

export const dns1123Subdomain = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$'
/** The name of an object, or nothing: `""`. */
export const optionalObjectName = `^(${dns1123Subdomain.slice(1, -1)})?$`
export const dns1035Label = '^[a-z]([-a-z0-9]*[a-z0-9])?$'
/** Not `.`, and not a name that begins with `..`. Empty if the name of the Secret is empty too; rules check the combination. */
export const secretKey = '^(\\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*)?$'

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set */
const subdomainOfAnyCase = '[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*'
const qualified = '[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'
export const annotationName = `^(${subdomainOfAnyCase}/)?${qualified}$`

/** Resource names of a container: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/ */
export const standardResource = '^(cpu|memory|ephemeral-storage)$'
export const hugePages = '^hugepages-[1-9][0-9]{0,5}[KMG]i$'
export const extendedResource = `^${dns1123Subdomain.slice(1, -1)}/${qualified}$`
export const resourceName = `^(${[standardResource, hugePages, extendedResource].map(pattern => pattern.slice(1, -1)).join('|')})$`

const domain = `(${subdomainOfAnyCase}|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?`
const component = '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*'
const digest = '[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}'
/** https://pkg.go.dev/github.com/distribution/reference, or empty: the default image. */
export const image = `^((${domain}/)?${component}(/${component})*(:[A-Za-z0-9_][-.A-Za-z0-9_]{0,127})?(@${digest})?)?$`

/** https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/ */
const sysctlPart = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
export const sysctl = `^${sysctlPart}([./]${sysctlPart})*$`

export const region = '^[-._a-zA-Z0-9]*$'

const anyCase = (names: string) => names.split(' ').map(name => [...name].map(c => `[${c.toUpperCase()}${c}]`).join('')).join('|')
const cronField = (value: string) => {
  const range = `(\\*|\\?|(${value})(-(${value}))?)(/[1-9][0-9]*)?`
  return `${range}(,${range})*`
}

const cronFields = [
  '[0-5]?[0-9]',
  '[01]?[0-9]|2[0-3]',
  '0?[1-9]|[12][0-9]|3[01]',
  `0?[1-9]|1[0-2]|${anyCase('jan feb mar apr may jun jul aug sep oct nov dec')}`,
  `[0-6]|${anyCase('sun mon tue wed thu fri sat')}`,
].map(cronField)

/** https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax: five fields or a macro. */
export const cronSchedule = `^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)|${cronFields.join(' +')})$`

/** Seccomp profiles are files in a folder of the node. */
export const seccompProfile = '^[^/.][^/]*(/[^/.][^/]*)*$'
/** AppArmor profiles have names. */
export const appArmorProfile = '^\\S(.*\\S)?$'
export const wholeNumber = '^[0-9]+$'
