import * as cache from './cache.ts'
import * as database from './database.ts'
import * as identity from './identity.ts'
import { nameFormat } from './name.ts'
import { noEffect } from './no-effect.ts'
import * as percona from './percona.ts'
import * as backup from './percona-backup.ts'
import { credentialsUnread } from './percona-backup-keys.ts'
import * as perconaVersion from './percona-version.ts'
import { portConflict, portPrivileged } from './ports.ts'
import * as resources from './resources.ts'
import type { Rule } from './rule.ts'
import * as s3 from './s3.ts'
import * as schema from './schema.ts'
import * as security from './security-context.ts'
import { serviceAnnotations } from './service.ts'
import * as storageClass from './storage-class.ts'
import * as growth from './storage-growth.ts'
import * as size from './storage-size.ts'
import { lookupFailed } from './unverified.ts'

/** All rules, in the order in which findings are reported. */
export const rules: readonly Rule[] = [
  nameFormat,

  schema.metadataSizeRequired,
  schema.cacheSizeRequired,
  size.sizeZero,
  size.storageShrink,
  size.storageImmutable,
  storageClass.storageClassChange,
  storageClass.storageClassMissing,
  storageClass.noDefaultClass,
  growth.growthWithoutClass,
  growth.expansionUnsupported,

  schema.nfsPortRange,
  schema.apiPortRange,
  schema.smbPortRange,
  schema.metricsPortRange,
  portConflict,
  portPrivileged,

  database.postgresWithoutReference,
  database.backendChange,
  database.databasePathChange,
  database.databaseSecretChange,
  database.referenceIncomplete,
  database.typeIgnored,
  database.databaseSecretMissing,

  identity.jwtKeyRequired,
  identity.durationInvalid,
  identity.refreshTooShort,
  identity.jwtSecretMissing,
  identity.jwtSecretShort,
  identity.adminSecretMissing,

  schema.s3NameRequired,
  s3.s3SecretMissing,
  s3.s3AccessKeyMissing,
  s3.s3SecretKeyMissing,

  percona.crdMissing,
  perconaVersion.postgresVersion,
  perconaVersion.postgresVersionNotOffered,
  perconaVersion.postgresVersionChange,
  perconaVersion.perconaOperatorUnknown,
  percona.storageSizeQuantity,
  percona.databaseName,
  percona.perconaFrozen,
  percona.perconaShrink,
  percona.perconaDisable,
  storageClass.perconaStorageClassMissing,
  percona.overExternal,
  percona.deleteData,
  backup.bucketRequired,
  backup.endpointRequired,
  schema.backupSchedule,
  backup.credentialsUnset,
  backup.credentialsMissing,
  credentialsUnread,

  schema.cacheSizeSyntax,
  cache.cacheExceedsVolume,
  cache.pathNotMounted,
  cache.pathIsFolder,

  serviceAnnotations,
  resources.resourceName,
  resources.resourceWhole,
  resources.requestAboveLimit,
  resources.hugePages,
  security.privilegedWithoutEscalation,
  security.rootRefused,
  security.localhostProfile,
  security.seLinuxMount,

  noEffect,
  lookupFailed,

  schema.schema,
]
