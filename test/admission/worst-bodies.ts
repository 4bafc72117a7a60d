import { review, server } from './webhook.ts'

const mebibyte = 1024 * 1024
/** What the server takes, less what a review has around its object. */
export const largest = 7 * mebibyte - 4096

const wrap = (operation: string, object: string, oldObject: string) =>
  JSON.stringify(review({ operation, object: '@new', oldObject: '@old' })).replace('"@new"', () => object).replace('"@old"', () => oldObject)
const create = (object: string) => wrap('CREATE', object, 'null')
const update = (object: string, oldObject = object) => wrap('UPDATE', object, oldObject)

/** An object with `text`, which is JSON, at a place of its spec. */
const withSpec = (section: string, text: string, more = '') =>
  JSON.stringify({ ...server(), spec: { storage: { metadataSize: '1Gi' }, nfsPort: '@more', [section]: '@here' } })
    .replace('"@here"', () => text).replace('"@more"', more || '2049')

const fill = (size: number, unit: (index: number) => string) => {
  const parts: string[] = []
  for (let [length, index] = [0, 0]; ; index++) {
    const part = unit(index)
    length += part.length + 1
    if (length > size) return parts.join(',')
    parts.push(part)
  }
}

/** Bodies of at most `size` bytes that are expensive to read, to validate, to compare or to describe. */
export function worstBodies (size: number): Record<string, string> {
  const half = Math.floor(size / 2) - 2048
  const string = (unit: string, length: number) => `"${unit.repeat(Math.floor(length / Buffer.byteLength(unit)))}"`
  const annotation = (count: number, length: number) =>
    fill(count * (length + 10), index => `"${index}${'\u200b'.repeat(length)}":5`)
  const annotated = (text: string, port: string) => withSpec('service', `{"annotations":{${text}}}`, port)
  const [few, long] = [250, Math.floor(Math.max(1, Math.min(2_000, half / 250 / 3 - 20)))]
  const deep = (open: string, close: string, depth: number) => `${open.repeat(depth)}0${close.repeat(depth)}`
  const depth = Math.floor(half / 8)
  return {
    'annotations with long keys and wrong values, before and after': update(annotated(annotation(few, long), '1'), annotated(annotation(few, long), '2')),
    'annotations without number': create(annotated(fill(size - 4096, index => `"k${index}":"v"`), '1')),
    'annotations without number, before and after': update(annotated(fill(half, index => `"k${index}":"v"`), '1'), annotated(fill(half, index => `"k${index}":"v"`), '2')),
    'wrong capabilities without number': create(withSpec('securityContext', `{"capabilities":{"add":[${fill(size - 4096, () => '1')}]}}`)),
    'claims without a name': create(withSpec('resources', `{"claims":[${fill(size - 4096, () => '{}')}]}`)),
    'limits that are no quantities': create(withSpec('resources', `{"limits":{${fill(size - 4096, index => `"r${index}":"x"`)}}}`)),
    'sysctls of the wrong type': create(withSpec('podSecurityContext', `{"sysctls":[${fill(size - 4096, () => '{"name":1,"value":2}')}]}`)),
    'a string where a pattern is': create(withSpec('cache', `{"size":${string('1', size - 4096)}}`)),
    'a duration without end': create(withSpec('identity', `{"jwt":{"accessTokenDuration":${string('1h', size - 4096)}}}`)),
    'a quantity without end': create(withSpec('percona', `{"storageSize":${string('0', size - 4096)}}`)),
    'a schedule without end': create(withSpec('percona', `{"backup":{"fullSchedule":${string('*,', size - 4096)}}}`)),
    'a class name without end': create(withSpec('storage', `{"metadataSize":"1Gi","storageClassName":${string('a-', size - 4096)}}`)),
    'control characters without end': create(withSpec('image', string('\\u001b', size - 4096))),
    'emoji without end': create(withSpec('image', string('💾', size - 4096))),
    'a port that is nested deeply': create(withSpec('nfs', deep('{"a":', '}', depth), deep('[', ']', depth))),
    'nested deeply, before and after': update(withSpec('smb', deep('{"port":', '}', Math.floor(depth / 2)), '1'), withSpec('smb', deep('{"port":', '}', Math.floor(depth / 2)), '2')),
    'brackets only': '['.repeat(Math.floor(size / 2)) + ']'.repeat(Math.floor(size / 2)),
    'empty lists only': `[${fill(size - 10, () => '[]')}]`,
    'empty objects only': `[${fill(size - 10, () => '{}')}]`,
    'keys only': `{${fill(size - 10, index => `"${index.toString(36)}":0`)}}`,
    'small objects, each with a key of its own': `[${fill(size - 10, index => `{"${index.toString(36)}":0}`)}]`,
    'empty strings only': `[${fill(size - 10, () => '""')}]`,
    'zeros only': `[${fill(size - 10, () => '0')}]`,
    'one number': '1'.repeat(size - 10),
    'one string of escapes': string('\\"', size - 10),
    'blanks only': ' '.repeat(size - 10),
    'quotation marks only': '"'.repeat(size - 10),
    'backslashes only': `"${'\\'.repeat(size - 10)}`,
    'metadata with annotations without number': create(JSON.stringify(server({}, { annotations: '@here' })).replace('"@here"', () => `{${fill(size - 4096, index => `"k${index}":"v"`)}}`)),
    'finalizers without number': create(JSON.stringify(server({}, { finalizers: '@here' })).replace('"@here"', () => `[${fill(size - 4096, () => '"f"')}]`)),
    'names without end': JSON.stringify(review({ name: 'n'.repeat(half), namespace: 's'.repeat(half) })),
    'a kind without end': JSON.stringify(review({ kind: { group: 'g'.repeat(half), kind: 'k'.repeat(half) } })),
    'a user without end': JSON.stringify(review({ userInfo: { username: 'u'.repeat(size - 4096) } })),
    'an operation without end': JSON.stringify(review({ operation: 'o'.repeat(size - 4096) })),
    'an acknowledgement without end': update(
      JSON.stringify(server({ nfsPort: 1 }, { annotations: { 'dittofs.dittofs.com/acknowledge': ','.repeat(half) } })),
      JSON.stringify(server({ percona: { enabled: true } }, { annotations: { 'dittofs.dittofs.com/acknowledge': 'x,'.repeat(half / 2) } })),
    ),
  }
}
