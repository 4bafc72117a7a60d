import t from 'tap'
import { canonicalQuantities, canonicalQuantity, withoutEmpty } from '../../src/render/canonical.ts'

t.test('quantities in the format of the API server', async t => {
  const pairs: Record<string, string> = {
    '1024Mi': '1Gi',
    '1536Mi': '1536Mi',
    '1.5Gi': '1536Mi',
    '5Gi': '5Gi',
    0.5: '500m',
    '1000m': '1',
    '2.0Gi': '2Gi',
    0: '0',
    '0Gi': '0',
    1000: '1k',
    '1e3': '1e3',
    '1500m': '1500m',
    '100000000n': '100m',
    '1000k': '1M',
    '0.1Gi': '107374183',
    '-1024Mi': '-1Gi',
    512: '512',
    '1Ki': '1Ki',
    '0.5Ki': '512',
    '1E': '1E',
    '12e6': '12e6',
    '1000e3': '1e6',
    '+5': '5',
    '.5': '500m',
    '1n': '1n',
    '0.1n': '1n',
    '1u': '1u',
    '0.0001Ki': '102400u',
    '7Ei': '7Ei',
    '8Ei': '9223372036854775807',
    '1024Ei': '9223372036854775807',
    '1000P': '1E',
    '1000E': '1000E',
    '1e0': '1',
    '1e12': '1e12',
    '1e+3': '1e3',
    '1e-3': '1e-3',
    '1e21': '1e21',
    '-0.1n': '-1n',
    '-1500m': '-1500m',
    '-0': '0',
  }
  for (const [given, expected] of Object.entries(pairs)) t.equal(canonicalQuantity(given), expected, given)
  t.equal(canonicalQuantity('no quantity'), 'no quantity')
})

t.test('lists of quantities; numbers become strings', async t => {
  t.strictSame(canonicalQuantities({ cpu: 2, memory: '1024Mi' }), { cpu: '2', memory: '1Gi' })
  t.strictSame(canonicalQuantities({ cpu: '.25m', memory: '0.0001' }), { cpu: '1m', memory: '1m' }, 'no less than a thousandth')
  t.equal(canonicalQuantities(undefined), undefined)
})

t.test('empty values are omitted', async t => {
  t.strictSame(withoutEmpty({ a: '', b: [], c: {}, d: null, e: { f: [] }, g: false, h: 0, i: ['x'] }), { g: false, h: 0, i: ['x'] })
  t.equal(withoutEmpty({ a: {} }), undefined)
  t.strictSame(withoutEmpty({ sysctls: [{ name: 'a', value: '' }, ''] }), { sysctls: [{ name: 'a' }, ''] }, 'entries of a list stay, without what is empty in them')
})
