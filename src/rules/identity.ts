import { parseGoDuration } from '../dittoserver/go-duration.ts'
import { quote } from './finding.ts'
import type { Rule } from './rule.ts'
import { secretKeyMissing, secretMissing, secretNeeds, secretUnverified, type SecretReference } from './secret-reference.ts'

export const jwtKeyRequired: Rule = {
  id: 'JWT-KEY-REQ',
  severity: 'deny',
  summary: 'A reference to the signing key that names a Secret must name the key within it as well.',
  claims: ({ path, keyword }) => path === 'spec.identity.jwt.secretRef.key' && keyword === 'required',
  cel: [{
    at: 'spec.identity.jwt.secretRef',
    rule: 'self.name.size() == 0 || self.key.size() > 0',
    fieldPath: '.key',
    reason: 'FieldValueRequired',
    message: 'must name a key of the Secret [JWT-KEY-REQ]',
  }],
  judge: ({ server: { spec: { identity: { jwt: { secretRef } } } } }) => secretRef?.name && secretRef.key === ''
    ? [{ field: 'spec.identity.jwt.secretRef.key', problem: 'Required value', detail: 'must name a key of the Secret' }]
    : [],
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: '' } } } }, cluster: { secrets: { signing: { key: 32 } } } },
}

const durations = ['accessTokenDuration', 'refreshTokenDuration'] as const

export const durationInvalid: Rule = {
  id: 'DUR-INVALID',
  severity: 'deny',
  summary: 'Token durations must be Go durations above zero; the server does not start otherwise.',
  claims: ({ path, keyword }) => durations.some(name => path === `spec.identity.jwt.${name}`) && keyword !== 'type',
  cel: durations.map(name => ({
    at: 'spec.identity.jwt',
    rule: `duration(self.${name}) > duration('0s')`,
    fieldPath: `.${name}`,
    message: 'must be a Go duration above zero, such as 15m or 1h30m [DUR-INVALID]',
  })),
  judge: ({ server: { spec: { identity: { jwt } } } }) => durations
    .filter(name => !((parseGoDuration(jwt[name]) ?? 0) > 0))
    .map(name => ({ field: `spec.identity.jwt.${name}`, problem: 'Invalid value', found: jwt[name], detail: 'must be a Go duration above zero, such as 15m or 1h30m' })),
  example: { spec: { identity: { jwt: { accessTokenDuration: '7d' } } } },
}

const signingKey: SecretReference = {
  field: 'spec.identity.jwt.secretRef',
  name: ({ identity: { jwt: { secretRef } } }) => secretRef?.name || undefined,
  consequence: 'the pod starts only once it does',
}
const password: SecretReference = {
  field: 'spec.identity.admin.passwordSecretRef',
  name: ({ identity: { admin: { passwordSecretRef } } }) => passwordSecretRef?.name || undefined,
  consequence: 'the pod starts only once it does',
}

/** The server refuses to start with a shorter key. */
const shortestSigningKey = 32

export const jwtSecretMissing: Rule = {
  id: 'JWT-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the signing key does not exist, or lacks the key.',
  when: ({ identity: { jwt: { secretRef } } }) => secretRef,
  needs: secretNeeds(signingKey),
  judge: ({ server: { spec }, facts }) => [
    ...secretMissing(signingKey, spec, facts),
    ...secretKeyMissing(signingKey.field, signingKey.name(spec), spec.identity.jwt.secretRef?.key ?? '', facts),
  ],
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: 'jwt' } } } } },
}

export const jwtSecretShort: Rule = {
  id: 'JWT-SECRET-SHORT',
  severity: 'warn',
  summary: `The signing key has fewer than ${shortestSigningKey} characters: the server does not start.`,
  when: ({ identity: { jwt: { secretRef } } }) => secretRef,
  needs: secretNeeds(signingKey),
  judge: ({ server: { spec: { identity: { jwt: { secretRef } } } }, facts }) => {
    const fact = secretRef?.name ? facts.secret(secretRef.name) : undefined
    const length = fact?.state === 'present' && secretRef ? fact.value.lengths.get(secretRef.key) : undefined
    if (!secretRef || !length || length >= shortestSigningKey) return []
    return [{
      field: signingKey.field,
      detail: `key ${quote(secretRef.key)} of Secret ${quote(secretRef.name)} has fewer than ${shortestSigningKey} characters; the server will not start`,
    }]
  },
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: 'jwt' } } } }, cluster: { secrets: { signing: { jwt: 8 } } } },
}

export const adminSecretMissing: Rule = {
  id: 'ADMIN-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the password of the administrator does not exist, or lacks the key.',
  when: ({ identity: { admin: { passwordSecretRef } } }) => passwordSecretRef,
  needs: secretNeeds(password),
  judge: ({ server: { spec }, facts }) => [
    ...secretMissing(password, spec, facts),
    ...secretKeyMissing(password.field, password.name(spec), spec.identity.admin.passwordSecretRef?.key ?? '', facts),
  ],
  example: { spec: { identity: { admin: { passwordSecretRef: { name: 'admin', key: 'password' } } } } },
}

const database: SecretReference = {
  field: 'spec.database.postgresSecretRef',
  name: ({ database: { postgresSecretRef }, percona }) => percona.enabled ? undefined : postgresSecretRef?.name || undefined,
  consequence: '',
}
const others = [signingKey, password, database]

export const secretsUnverified: Rule = {
  id: 'SECRET-UNVERIFIED',
  severity: 'warn',
  summary: 'A Secret of the signing key, the administrator or the database could not be looked up.',
  when: spec => [spec.identity.jwt.secretRef, spec.identity.admin.passwordSecretRef, spec.database.postgresSecretRef, spec.percona.enabled],
  needs: subject => others.flatMap(reference => secretNeeds(reference)(subject)),
  judge: ({ server, facts }) => others.flatMap(reference => secretUnverified(reference, server.spec, facts)),
  example: { spec: { identity: { jwt: { secretRef: { name: 'signing', key: 'jwt' } } } }, cluster: { away: 'timed out' } },
}
