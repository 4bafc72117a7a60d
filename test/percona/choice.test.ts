import t from 'tap'
import type { KubernetesObject } from '../../src/cluster/kubernetes-object.ts'
import { readDittoServer } from '../../src/dittoserver/dittoserver.ts'
import { choosePercona } from '../../src/percona/choice.ts'

const wanted = (percona: object = {}) =>
  readDittoServer({ metadata: { name: 'files' }, spec: { storage: { metadataSize: '1Gi' }, percona: { enabled: true, ...percona } } }).server.spec.percona

const existing = (spec: object): KubernetesObject =>
  ({ apiVersion: 'pgv2.percona.com/v2', kind: 'PerconaPGCluster', metadata: { name: 'files-postgres' }, spec })

t.test('a new cluster gets the versions of the installed operator', async t => {
  t.strictSame(choosePercona(wanted(), '2.9.0', undefined), {
    crVersion: '2.9.0',
    postgresVersion: 16,
    images: {
      postgres: 'docker.io/percona/percona-distribution-postgresql:16.13-1',
      pgBouncer: 'docker.io/percona/percona-pgbouncer:1.25.1-1',
      pgBackRest: 'docker.io/percona/percona-pgbackrest:2.58.0-1',
    },
    notes: [],
  })
  t.match(choosePercona(wanted({ postgresVersion: 18 }), '2.9.0', undefined), {
    postgresVersion: 18, images: { postgres: 'docker.io/percona/percona-distribution-postgresql:18.3-1' },
  })
})

t.test('an unknown operator gets the nearest row, an operator without a version the newest', async t => {
  const newer = choosePercona(wanted(), '2.10.0', undefined)
  t.match(newer, { crVersion: '2.10.0', images: { pgBouncer: /:1\.25\.1-1$/ } })
  t.strictSame(newer.notes, ['No images are known for Percona operator 2.10.0: the images for 2.9 are used.'])
  const silent = choosePercona(wanted(), undefined, undefined)
  t.equal(silent.crVersion, undefined, 'the Percona operator fills it in')
  t.match(silent, { images: { pgBouncer: /:1\.25\.2-6$/ } })
  t.strictSame(silent.notes, ['The version of the Percona operator is not known: the images for 3.1 are used.'])
})

t.test('a version of PostgreSQL that this operator does not support', async t => {
  t.equal(choosePercona(wanted({ postgresVersion: 18 }), '2.8.2', undefined).impossible, 'Percona operator 2.8.2 offers PostgreSQL 16 or 17, not 18')
  t.equal(choosePercona(wanted({ postgresVersion: 18 }), '2.8.2', existing({ crVersion: '2.8.2', postgresVersion: 16 })).impossible, undefined)
})

t.test('an existing cluster keeps its versions, and gets the matching images', async t => {
  const choice = choosePercona(wanted(), '2.9.0', existing({ crVersion: '2.8.2', postgresVersion: 17 }))
  t.match(choice, {
    crVersion: '2.8.2', postgresVersion: 17, images: { postgres: 'docker.io/percona/percona-distribution-postgresql:17.7-2', pgBackRest: /:2\.57\.0-1$/ },
  })
  t.strictSame(choice.notes, ['The cluster runs as of Percona operator 2.8.2, and 2.9.0 is installed: raise crVersion of the PerconaPGCluster to upgrade it.'])
  t.strictSame(choosePercona(wanted(), '2.9.1', existing({ crVersion: '2.9.0', postgresVersion: 17 })).notes, [], 'a patch release is no upgrade')
  t.match(choosePercona(wanted(), '2.9.0', existing({ postgresVersion: 17 })), { crVersion: undefined, images: { pgBackRest: /:2\.58\.0-1$/ } }, 'just created')
})

t.test('a requested version that differs from the cluster', async t => {
  const { postgresVersion, notes } = choosePercona(wanted({ postgresVersion: 17 }), '2.9.0', existing({ crVersion: '2.9.0', postgresVersion: 16 }))
  t.equal(postgresVersion, 16)
  t.strictSame(notes, ['percona.postgresVersion is 17, but the PostgreSQL cluster runs 16; upgrade it with a PerconaPGUpgrade first, or set 16.'])
})

t.test('for a version of PostgreSQL without a known image, the image is not changed', async t => {
  t.equal(choosePercona(wanted(), '2.9.0', existing({ crVersion: '2.9.0', postgresVersion: 14 })).images.postgres, undefined)
})

t.test('images from a mirror', async t => {
  const mirror = { postgres: 'mirror.example.com/postgres:16', pgBouncer: 'mirror.example.com/pgbouncer', pgBackRest: '' }
  t.strictSame(choosePercona(wanted({ images: mirror }), '2.9.0', undefined).images, {
    postgres: 'mirror.example.com/postgres:16', pgBouncer: 'mirror.example.com/pgbouncer', pgBackRest: 'docker.io/percona/percona-pgbackrest:2.58.0-1',
  }, 'an empty one is none')
  t.match(choosePercona(wanted({ images: mirror }), '2.9.0', existing({ crVersion: '2.9.0', postgresVersion: 14 })), { images: { postgres: mirror.postgres } })
})
