import type { FastifyServerOptions } from 'fastify'

const noSchema = () => { throw new Error('no route has a schema') }

/**
 * For servers whose routes have no schema of Fastify's. Otherwise it loads a second ajv and a compiler of serializers at start, which would
 * stay in memory unused.
 */
export const withoutSchemas: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: noSchema, buildSerializer: noSchema },
}
