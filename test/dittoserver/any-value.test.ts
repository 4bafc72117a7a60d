import fc from 'fast-check'
import t from 'tap'
import { readDittoServer, toStored } from '../../src/dittoserver/dittoserver.ts'
import { objectSchema } from '../../src/dittoserver/object-schema.ts'
import { isObject } from '../../src/dittoserver/structural.ts'
import { nearlyFitting } from './nearly-fitting.ts'

const toStoredTwice = (value: unknown): boolean => JSON.stringify(toStored(toStored(value))) !== JSON.stringify(toStored(value))

t.test('reading never throws, changes nothing, and returns a valid server', async t => {
  let broken = 0
  fc.assert(fc.property(nearlyFitting(objectSchema), value => {
    const before = JSON.stringify(value)
    const { server, errors } = readDittoServer(value)
    if (errors.length > 0) broken++
    if (JSON.stringify(value) !== before) throw new Error('the value was changed')
    const again = readDittoServer({ spec: server.spec })
    if (again.errors.length > 0) throw new Error(`the stand-in is illegal: ${JSON.stringify(again.errors)}`)
    if (isObject(value) && toStoredTwice(value)) throw new Error('defaulting twice is not the same as once')
  }), { numRuns: 3_000 })
  t.ok(broken > 500, `${broken} of 3,000 did not fit the schema`)
})
