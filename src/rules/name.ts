import { dns1035Label } from '../dittoserver/patterns.ts'
import type { Rule } from './rule.ts'

/**
 * The pod of a StatefulSet has the label `controller-revision-hash: <name>-<hash>`. A label value has at most 63 characters, and the hash
 * with its dash has up to 11.
 */
export const longestName = 52

const label = new RegExp(dns1035Label)

export const nameFormat: Rule = {
  id: 'NAME-FORMAT',
  severity: 'deny',
  operations: ['CREATE'],
  summary: `The name must be a DNS label that begins with a letter, of at most ${longestName} characters: Services and a StatefulSet are named after it.`,
  cel: [{
    at: '',
    rule: `oldSelf.hasValue() || (self.metadata.name.size() <= ${longestName} && self.metadata.name.matches('${dns1035Label}'))`,
    optionalOldSelf: true,
    message: `metadata.name must begin with a letter, have only lower-case letters, digits and '-', and at most ${longestName} characters [NAME-FORMAT]`,
  }],
  judge: ({ server: { metadata: { name, generateName } } }) => {
    // With generateName, the API server sets the name before it validates the object, but a direct review may have no name.
    if (name === '' && generateName !== '') return []
    if (name.length <= longestName && label.test(name)) return []
    return [{
      field: 'metadata.name',
      problem: 'Invalid value',
      found: name,
      detail: `must begin with a letter, have only lower-case letters, digits and '-', and at most ${longestName} characters`,
    }]
  },
  example: { name: '1st.files' },
}
