// YAML as kubectl 1.36 reads it.

/** A plain scalar, and its value. */
export const scalars: readonly (readonly [string, unknown])[] = [
  ['yes', true], ['Yes', true], ['YES', true], ['yEs', 'yEs'], ['y', true], ['Y', true], ['on', true], ['On', true], ['true', true], ['TRUE', true],
  ['no', false], ['n', false], ['N', false], ['off', false], ['OFF', false], ['False', false], ['tRUE', 'tRUE'],
  ['~', null], ['null', null], ['Null', null], ['NULL', null], ['nUll', 'nUll'],
  ['0', 0], ['00', 0], ['07', 7], ['017', 15], ['030000', 12288], ['08', 8], ['09', 9], ['010', 8], ['0o17', 15], ['0O17', 15], ['0o8', '0o8'],
  ['0x1F', 31], ['0X1f', 31], ['0xZZ', '0xZZ'], ['0b11', 3], ['0B11', 3], ['0b2', '0b2'], ['-0b11', -3], ['+0x1F', 31], ['-017', -15], ['+5', 5], ['-5', -5],
  ['1_000', 1000], ['1__0', 10], ['0x_1F', 31], ['0_7', 7], ['_1', '_1'],
  ['1e3', 1000], ['1E3', 1000], ['1e+3', 1000], ['1e-3', 0.001], ['1.0', 1], ['1.50', 1.5], ['.5', 0.5], ['5.', 5], ['1.e3', 1000], ['12e03', 12000], ['+.5', 0.5], ['-.5', -0.5],
  ['.', '.'], ['..', '..'], ['.e3', '.e3'], ['1e', '1e'], ['1e1000', '1e1000'], ['-1e1000', '-1e1000'], ['+', '+'], ['0x', '0x'], ['--5', '--5'], ['+-5', '+-5'], ['0b', '0b'],
  ['18446744073709551615', 18446744073709551615n], ['99999999999999999999999', 1e23], ['0xFFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFFF'], ['0x10000000000000000', '0x10000000000000000'],
  ['0777777777777777777777777', 7.777777777777778e23], ['0b1111111111111111111111111111111111111111111111111111111111111111111111', '0b1111111111111111111111111111111111111111111111111111111111111111111111'],
  ['1:30', '1:30'], ['190:20:30', '190:20:30'], ['2001-01-01', '2001-01-01'], ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'], ['1.2.3', '1.2.3'],
  ['inf', 'inf'], ['Infinity', 'Infinity'], ['NaN', 'NaN'], ['.nAn', '.nAn'], ['.Nan', '.Nan'], ['.iNF', '.iNF'], ['=', '='], ['<<', '<<'],
  ['"yes"', 'yes'], ["'07'", '07'], ['"\\x41\\u00e9\\U0001F4BE\\t"', 'Aé💾\t'], ['a:b', 'a:b'], ['a #b', 'a'], ['a#b', 'a#b'], ['http://x', 'http://x'],
  ['!!str 5', '5'], ['!!str yes', 'yes'], ['!!int "5"', 5], ['!!float 5', 5], ['!!bool yes', true], ['!!null ""', null], ['!!binary aGVsbG8=', 'hello'], ['!foo bar', 'bar'],
  ['|-\n  x\n  y', 'x\ny'], ['>\n  x\n  y', 'x y\n'], ['é', 'é'], ['٣', '٣'],
]

/** A map or a list, and its value. */
export const collections: readonly (readonly [string, unknown])[] = [
  ['{1: a, 1.5: b, yes: c}', { 1: 'a', 1.5: 'b', true: 'c' }],
  ['{a: 1, a: 2}', { a: 2 }],
  ['{<<: {a: 1}, a: 2}', { a: 2 }],
  ['{a: 2, <<: {a: 1, b: 1}}', { a: 1, b: 1 }],
  ['{<<: [{a: 1}, {a: 2, b: 3}]}', { a: 1, b: 3 }],
  ['{"<<": 1}', { '<<': 1 }],
  ['{a: &b {x: 1}, c: *b, d: {<<: *b}}', { a: { x: 1 }, c: { x: 1 }, d: { x: 1 } }],
  ['{a: &b 1, c: &b 2, d: *b}', { a: 1, c: 2, d: 2 }],
  ['!!set {a, b}', { a: null, b: null }],
  ['!!omap [a: 1]', [{ a: 1 }]],
  ['!!pairs [a: 1, a: 2]', [{ a: 1 }, { a: 2 }]],
  ['[a: b, c]', [{ a: 'b' }, 'c']],
  ['{__proto__: 1, constructor: 2}', JSON.parse('{"__proto__": 1, "constructor": 2}')],
]

/** A whole document that kubectl refuses, and our error for it. */
export const refused: readonly (readonly [string, string | RegExp])[] = [
  ['v: .inf', 'JSON has no number Infinity'],
  ['v: -.INF', 'JSON has no number -Infinity'],
  ['v: .NaN', 'JSON has no number NaN'],
  ['v: *a', "unknown anchor 'a'"],
  ['v: &a {b: *a}', "anchor 'a' contains itself"],
  ['{~: 1}', 'a key must not be null'],
  ['? {a: b}\n: c', 'a key must not be a list or a map'],
  ['{<<: 1}', "'<<' merges maps only"],
  ['{<<: [[1]]}', "'<<' merges maps only"],
  ['{<<: ~}', "'<<' merges maps only"],
  ['v: "a\\/b"', 'unknown escape in a quoted text'],
  ['v: "\\ud83d\\ude00"', 'unknown escape in a quoted text'],
  ['v: "\x01"', 'control characters are not allowed'],
  ['v: [', /must/],
  ['v: @x', /reserved/],
  ['v: a: b', /mapping/],
]
