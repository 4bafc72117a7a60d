import * as cache from './cache.ts'
import * as database from './database.ts'
import * as identity from './identity.ts'
import { nameFormat } from './name.ts'
import { noEffect } from './no-effect.ts'
import * as percona from './percona.ts'
import * as backup from './percona-backup.ts'
import { portConflict, portPrivileged } from './ports.ts'
import type { Rule } from './rule.ts'
import * as s3 from './s3.ts'
import * as schema from './schema.ts'
import * as storageClass from './storage-class.ts'
import * as size from './storage-size.ts'

/** Every rule, in the order in which findings are reported: the table of contents of admission. */
export const rules: readonly Rule[] = [
  nameFormat,

  schema.metadataSizeRequired,
  schema.cacheSizeRequired,
  size.sizeZero,
  size.storageShrink,
  size.storageImmutable,
  storageClass.storageClassChange,
  storageClass.storageClassMissing,
  storageClass.storageClassUnverified,
  storageClass.noDefaultClass,
  size.expansionUnsupported,

  schema.nfsPortRange,
  schema.apiPortRange,
  schema.smbPortRange,
  schema.metricsPortRange,
  portConflict,
  portPrivileged,

  database.postgresWithoutReference,
  database.backendChange,
  database.referenceIncomplete,
  database.typeIgnored,
  database.databaseSecretMissing,

  identity.jwtKeyRequired,
  identity.durationInvalid,
  identity.jwtSecretMissing,
  identity.jwtSecretShort,
  identity.adminSecretMissing,
  identity.secretsUnverified,

  schema.s3NameRequired,
  s3.s3SecretMissing,
  s3.s3SecretUnverified,
  s3.s3AccessKeyMissing,
  s3.s3SecretKeyMissing,

  percona.crdMissing,
  percona.crdUnverified,
  percona.storageSizeQuantity,
  percona.databaseName,
  percona.perconaFrozen,
  percona.perconaShrink,
  percona.perconaDisable,
  storageClass.perconaStorageClassMissing,
  storageClass.perconaStorageClassUnverified,
  percona.overExternal,
  percona.deleteData,
  backup.bucketRequired,
  backup.endpointRequired,
  schema.backupSchedule,
  backup.credentialsUnset,
  backup.credentialsMissing,
  backup.credentialsUnverified,

  schema.cacheSizeSyntax,
  cache.cacheExceedsVolume,
  cache.pathNotMounted,
  noEffect,

  schema.schema,
]
