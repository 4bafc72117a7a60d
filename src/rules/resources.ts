import * as pattern from '../dittoserver/patterns.ts'
import { compareQuantities, parseQuantity } from '../dittoserver/quantity.ts'
import { quote } from '../dittoserver/quote.ts'
import type { DittoServerSpec } from '../dittoserver/schema.ts'
import type { CelRule, Complaint, Rule } from './rule.ts'

// Checks of the API server on the container's resources, reported at the field of the DittoServer.
// https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/

const lists = ['limits', 'requests'] as const
type List = typeof lists[number]
type Quantity = number | string
const at = 'spec.resources'

const fieldOf = (list: List, name: string) => `${at}.${list}[${quote(name)}]`

/** One complaint for each wrong entry. An object without any costs no memory: each review is judged by four such rules. */
function complaintsOf (
  { resources }: DittoServerSpec,
  isWrong: (name: string, value: Quantity) => boolean,
  complain: (list: List, name: string, value: Quantity) => Complaint,
): Complaint[] {
  const complaints: Complaint[] = []
  for (const list of lists) {
    const quantities = resources?.[list]
    for (const name in quantities) {
      const value = quantities[name] ?? ''
      if (isWrong(name, value)) complaints.push(complain(list, name, value))
    }
  }
  return complaints
}

const isName = new RegExp(pattern.resourceName)
const isStandard = new RegExp(pattern.standardResource)
const isHugePages = new RegExp(pattern.hugePages)
const isExtended = new RegExp(pattern.extendedResource)
const isWhole = new RegExp(pattern.wholeNumber)

const nameAllowed = 'must be cpu, memory, ephemeral-storage, hugepages-SIZE or DOMAIN/NAME'

export const resourceName: Rule = {
  id: 'RES-NAME',
  severity: 'deny',
  summary: 'A compute resource must be one that a container can have.',
  cel: lists.map((list): CelRule => ({
    at: `${at}.${list}`, rule: `self.all(name, name.matches(r'${pattern.resourceName}'))`, message: `${nameAllowed} [RES-NAME]`,
  })),
  judge: ({ server: { spec } }) => complaintsOf(spec, name => !isName.test(name), (list, name) =>
    ({ field: `${at}.${list}`, problem: 'Invalid value', found: name, detail: nameAllowed })),
  example: { spec: { resources: { limits: { cpus: '2' } } } },
}

const whole = 'must be a whole number, without a unit'

export const resourceWhole: Rule = {
  id: 'RES-WHOLE',
  severity: 'deny',
  summary: 'Extended resources, such as devices, are counted in whole numbers.',
  cel: lists.map((list): CelRule => ({
    at: `${at}.${list}`, rule: 'self.all(name, !name.contains(\'/\') || string(self[name]).matches(\'' + pattern.wholeNumber + '\'))', message: `${whole} [RES-WHOLE]`,
  })),
  judge: ({ server: { spec } }) => complaintsOf(spec, (name, value) => isExtended.test(name) && !isWhole.test(String(value)),
    (list, name, found) => ({ field: fieldOf(list, name), restsOn: [`${at}.${list}`], problem: 'Invalid value', found, detail: whole })),
  example: { spec: { resources: { limits: { 'example.com/device': '500m' } } } },
}

function refusalOf (name: string, request: string, limits: Readonly<Record<string, Quantity>>): string | undefined {
  const limit = limits[name] === undefined ? undefined : String(limits[name])
  // Only a resource that may be overcommitted can have a request that differs from its limit.
  if (isStandard.test(name)) {
    return limit !== undefined && (compareQuantities(request, limit) ?? 0) > 0 ? `must be at most the limit, ${quote(limit)}` : undefined
  }
  return request === limit ? undefined : 'must have a limit, and be equal to it'
}

const bothLists = [`${at}.limits`, `${at}.requests`]

export const requestAboveLimit: Rule = {
  id: 'RES-LIMIT',
  severity: 'deny',
  summary: 'A request must not be above the limit. For huge pages and extended resources, both must be equal.',
  cel: [{
    at,
    rule: '!has(self.requests) || self.requests.all(name, name in [\'cpu\', \'memory\', \'ephemeral-storage\'] ' +
      '? (!has(self.limits) || !(name in self.limits) || !isQuantity(string(self.requests[name])) || !isQuantity(string(self.limits[name])) || quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0) ' +
      ': (has(self.limits) && name in self.limits && string(self.requests[name]) == string(self.limits[name])))',
    fieldPath: '.requests',
    message: 'must be at most the limit; for huge pages and extended resources, equal to the limit [RES-LIMIT]',
  }],
  judge: ({ server: { spec: { resources } } }) => {
    const complaints: Complaint[] = []
    for (const name in resources?.requests) {
      const found = resources.requests[name] ?? ''
      const refusal = refusalOf(name, String(found), resources.limits ?? {})
      if (refusal === undefined || !isName.test(name)) continue
      complaints.push({ field: fieldOf('requests', name), restsOn: bothLists, problem: 'Invalid value', found, detail: refusal })
    }
    return complaints
  },
  example: { spec: { resources: { requests: { memory: '4Gi' }, limits: { memory: '2Gi' } } } },
}

/** Both are quantities: the name was checked before, and an invalid value is not judged. */
const isMultiple = (name: string, value: string) =>
  (parseQuantity(value) ?? 0n) % (parseQuantity(name.slice('hugepages-'.length)) ?? 1n) === 0n

export const hugePages: Rule = {
  id: 'RES-HUGEPAGES',
  severity: 'deny',
  summary: 'Huge pages must be a multiple of their size, and also need a request or limit of CPU or memory.',
  cel: [
    ...lists.map((list): CelRule => ({
      at: `${at}.${list}`,
      rule: 'self.all(name, !name.matches(r\'' + pattern.hugePages + '\') || (isQuantity(string(self[name])) && quantity(string(self[name])).isInteger() && quantity(string(self[name])).asInteger() % quantity(name.substring(10)).asInteger() == 0))',
      message: 'huge pages must be a multiple of their size [RES-HUGEPAGES]',
    })),
    {
      at,
      rule: '![' + lists.map(list => `has(self.${list}) && self.${list}.exists(name, name.startsWith('hugepages-'))`).join(', ') + '].exists(found, found) || [' +
        lists.map(list => `has(self.${list}) && ('cpu' in self.${list} || 'memory' in self.${list})`).join(', ') + '].exists(found, found)',
      message: 'huge pages also need a request or limit of cpu or memory [RES-HUGEPAGES]',
    },
  ],
  judge: ({ server: { spec } }) => {
    let hasHugePages = false
    const complaints = complaintsOf(spec, (name, value) => {
      if (!isHugePages.test(name)) return false
      hasHugePages = true
      return !isMultiple(name, String(value))
    }, (list, name, found) =>
      ({ field: fieldOf(list, name), restsOn: [`${at}.${list}`], problem: 'Invalid value', found, detail: 'huge pages must be a multiple of their size' }))
    if (hasHugePages && !lists.some(list => Object.keys(spec.resources?.[list] ?? {}).some(name => name === 'cpu' || name === 'memory'))) {
      complaints.push({ field: at, restsOn: bothLists, problem: 'Forbidden', detail: 'huge pages also need a request or limit of cpu or memory' })
    }
    return complaints
  },
  example: { spec: { resources: { limits: { 'hugepages-2Mi': '3Mi', memory: '1Gi' } } } },
}
