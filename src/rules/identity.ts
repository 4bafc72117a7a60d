import { parseGoDuration } from '../dittoserver/go-duration.ts'
import { quote } from '../dittoserver/quote.ts'
import { adminPassword, follows, secretKeyMissing, secretMissing, signingKey } from './reference.ts'
import type { Rule } from './rule.ts'

const jwt = 'spec.identity.jwt'

export const jwtKeyRequired: Rule = {
  id: 'JWT-KEY-REQ',
  severity: 'deny',
  summary: 'A reference to the signing key that names a Secret must also name a key in the Secret.',
  claims: ({ path, keyword }) => path === `${jwt}.secretRef.key` && keyword === 'required',
  cel: [{
    at: `${jwt}.secretRef`,
    rule: 'self.name.size() == 0 || (has(self.key) && self.key.size() > 0)',
    restsOn: ['name', 'key'],
    fieldPath: '.key',
    reason: 'FieldValueRequired',
    message: 'must name a key of the Secret [JWT-KEY-REQ]',
  }],
  judge: ({ server: { spec: { identity: { jwt: { secretRef } } } } }) => secretRef?.name && secretRef.key === ''
    ? [{
        field: `${jwt}.secretRef.key`, restsOn: [`${jwt}.secretRef.name`, `${jwt}.secretRef.key`], problem: 'Required value', detail: 'must name a key of the Secret',
      }]
    : [],
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: '' } } } }, cluster: { secrets: { signing: { key: 32 } } } },
}

const durations = ['accessTokenDuration', 'refreshTokenDuration'] as const

export const durationInvalid: Rule = {
  id: 'DUR-INVALID',
  severity: 'deny',
  summary: 'Token durations must be Go durations above zero. Otherwise the server does not start.',
  claims: ({ path, keyword }) => durations.some(name => path === `${jwt}.${name}`) && keyword !== 'type',
  cel: durations.map(name => ({
    at: `${jwt}.${name}`,
    rule: 'duration(self) > duration(\'0s\')',
    mayFail: true,
    message: 'must be a Go duration above zero, such as 15m or 1h30m [DUR-INVALID]',
  })),
  judge: ({ server: { spec: { identity } } }) => durations
    .filter(name => !((parseGoDuration(identity.jwt[name]) ?? 0) > 0))
    .map(name => ({
      field: `${jwt}.${name}`, problem: 'Invalid value', found: identity.jwt[name], detail: 'must be a Go duration above zero, such as 15m or 1h30m',
    })),
  example: { spec: { identity: { jwt: { accessTokenDuration: '7d' } } } },
}

export const refreshTooShort: Rule = {
  id: 'DUR-ORDER',
  severity: 'warn',
  summary: 'The refresh token expires before the access token that it renews: users must log in again each time.',
  judge: ({ server: { spec: { identity } } }) => {
    const access = parseGoDuration(identity.jwt.accessTokenDuration)
    const refresh = parseGoDuration(identity.jwt.refreshTokenDuration)
    if (access === undefined || refresh === undefined || refresh >= access) return []
    return [{
      field: `${jwt}.refreshTokenDuration`,
      restsOn: durations.map(name => `${jwt}.${name}`),
      detail: `${quote(identity.jwt.refreshTokenDuration)} is shorter than accessTokenDuration (${quote(identity.jwt.accessTokenDuration)}): the refresh token expires first`,
    }]
  },
  example: { spec: { identity: { jwt: { accessTokenDuration: '24h', refreshTokenDuration: '1h' } } } },
}

/** The server does not start with a shorter key. */
const shortestSigningKey = 32

export const jwtSecretMissing: Rule = {
  id: 'JWT-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the signing key does not exist, or does not have the key.',
  ...follows(signingKey),
  judge: ({ server: { spec }, facts }) => [
    ...secretMissing(signingKey, spec, facts),
    ...secretKeyMissing(signingKey, `${jwt}.secretRef.key`, spec.identity.jwt.secretRef?.key, spec, facts),
  ],
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: 'jwt' } } } } },
}

export const jwtSecretShort: Rule = {
  id: 'JWT-SECRET-SHORT',
  severity: 'warn',
  summary: `The signing key has fewer than ${shortestSigningKey} characters: the server does not start.`,
  ...follows(signingKey),
  judge: ({ server: { spec: { identity: { jwt: { secretRef } } } }, facts }) => {
    const fact = secretRef?.name ? facts.secret(secretRef.name) : undefined
    const length = fact?.state === 'present' && secretRef ? fact.value.lengths.get(secretRef.key) : undefined
    if (!secretRef || !length || length >= shortestSigningKey) return []
    return [{
      field: `${jwt}.secretRef.key`,
      detail: `key ${quote(secretRef.key)} of Secret ${quote(secretRef.name)} is shorter than ${shortestSigningKey} characters: the server will not start`,
    }]
  },
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: 'jwt' } } } }, cluster: { secrets: { signing: { jwt: 8 } } } },
}

export const adminSecretMissing: Rule = {
  id: 'ADMIN-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the password of the administrator does not exist, or does not have the key.',
  ...follows(adminPassword),
  judge: ({ server: { spec }, facts }) => [
    ...secretMissing(adminPassword, spec, facts),
    ...secretKeyMissing(adminPassword, 'spec.identity.admin.passwordSecretRef.key', spec.identity.admin.passwordSecretRef?.key, spec, facts),
  ],
  example: { spec: { identity: { admin: { passwordSecretRef: { name: 'admin', key: 'password' } } } } },
}
