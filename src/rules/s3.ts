import { follows, s3Credentials, secretKeyMissing, secretMissing } from './reference.ts'
import type { Rule } from './rule.ts'

const spec = { s3: { credentialsSecretRef: { secretName: 's3-credentials' } } }

export const s3SecretMissing: Rule = {
  id: 'S3-SECRET-MISSING',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials does not exist yet.',
  ...follows(s3Credentials),
  judge: ({ server, facts }) => secretMissing(s3Credentials, server.spec, facts),
  example: { spec },
}

export const s3AccessKeyMissing: Rule = {
  id: 'S3-KEY-ACCESS',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials does not have the access key ID. The endpoint is optional and not checked.',
  ...follows(s3Credentials),
  judge: ({ server, facts }) => secretKeyMissing(s3Credentials, 'spec.s3.credentialsSecretRef.accessKeyIdKey',
    server.spec.s3.credentialsSecretRef?.accessKeyIdKey, server.spec, facts),
  example: { spec, cluster: { secrets: { 's3-credentials': { secretAccessKey: 40 } } } },
}

export const s3SecretKeyMissing: Rule = {
  id: 'S3-KEY-SECRET',
  severity: 'warn',
  summary: 'The Secret with the S3 credentials does not have the secret access key.',
  ...follows(s3Credentials),
  judge: ({ server, facts }) => secretKeyMissing(s3Credentials, 'spec.s3.credentialsSecretRef.secretAccessKeyKey',
    server.spec.s3.credentialsSecretRef?.secretAccessKeyKey, server.spec, facts),
  example: { spec, cluster: { secrets: { 's3-credentials': { accessKeyId: 20 } } } },
}
