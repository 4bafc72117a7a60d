import type { Rule } from './rule.ts'
import { secretKeyMissing, secretMissing, secretNeeds, secretUnverified, type SecretReference } from './secret-reference.ts'

const credentials: SecretReference = {
  field: 'spec.s3.credentialsSecretRef.secretName',
  name: ({ s3 }) => s3.credentialsSecretRef?.secretName,
  consequence: 'the pod starts only once it does',
}
const when: Rule['when'] = ({ s3 }) => s3.credentialsSecretRef
const needs = secretNeeds(credentials)
const spec = { s3: { credentialsSecretRef: { secretName: 's3-credentials' } } }

export const s3SecretMissing: Rule = {
  id: 'S3-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials does not exist yet.',
  when,
  needs,
  judge: ({ server, facts }) => secretMissing(credentials, server.spec, facts),
  example: { spec },
}

export const s3SecretUnverified: Rule = {
  id: 'S3-SECRET-UNVERIFIED',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials could not be looked up.',
  when,
  needs,
  judge: ({ server, facts }) => secretUnverified(credentials, server.spec, facts),
  example: { spec, cluster: { away: 'forbidden: no permission to get secrets' } },
}

export const s3AccessKeyMissing: Rule = {
  id: 'S3-KEY-ACCESS',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials lacks the access key id. The endpoint is optional and not checked.',
  when,
  needs,
  judge: ({ server: { spec: { s3: { credentialsSecretRef: ref } } }, facts }) => ref
    ? secretKeyMissing('spec.s3.credentialsSecretRef.accessKeyIdKey', ref.secretName, ref.accessKeyIdKey, facts)
    : [],
  example: { spec, cluster: { secrets: { 's3-credentials': { secretAccessKey: 40 } } } },
}

export const s3SecretKeyMissing: Rule = {
  id: 'S3-KEY-SECRET',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials lacks the secret access key.',
  when,
  needs,
  judge: ({ server: { spec: { s3: { credentialsSecretRef: ref } } }, facts }) => ref
    ? secretKeyMissing('spec.s3.credentialsSecretRef.secretAccessKeyKey', ref.secretName, ref.secretAccessKeyKey, facts)
    : [],
  example: { spec, cluster: { secrets: { 's3-credentials': { accessKeyId: 20 } } } },
}
