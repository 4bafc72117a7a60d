const object = (spec: object, annotations: Readonly<Record<string, string>> = {}) => ({
  apiVersion: 'dittofs.dittofs.com/v1alpha1',
  kind: 'DittoServer',
  metadata: {
    name: 'demo', namespace: 'default', uid: 'b5d1f0a3-5a3f-4f0e-9c1c-0d3b2a1c4e5f', generation: 1, labels: { app: 'demo' }, annotations,
  },
  spec: {
    image: 'marmos91c/dittofs:v0.4.0',
    replicas: 1,
    nfsPort: 12049,
    storage: { metadataSize: '10Gi', contentSize: '50Gi', cacheSize: '5Gi', controlPlaneSize: '1Gi', storageClassName: 'fast' },
    s3: {
      credentialsSecretRef: { secretName: 's3', accessKeyIdKey: 'accessKeyId', secretAccessKeyKey: 'secretAccessKey', endpointKey: 'endpoint' },
      region: 'eu-west-1',
    },
    resources: { requests: { cpu: '500m', memory: '1Gi' } },
    ...spec,
  },
})

const review = (request: object) => JSON.stringify({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  request: {
    uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
    kind: { group: 'dittofs.dittofs.com', version: 'v1alpha1', kind: 'DittoServer' },
    resource: { group: 'dittofs.dittofs.com', version: 'v1alpha1', resource: 'dittoservers' },
    operation: 'CREATE',
    name: 'demo',
    namespace: 'default',
    userInfo: { username: 'alice', groups: ['system:authenticated'] },
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    ...request,
  },
})

/** 3 MB of annotations, which is as much as fits. */
const large = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`example.com/annotation-${index}`, 'x'.repeat(2_000)]))

/** Each review names a StorageClass and a Secret, so the webhook looks them up. */
export const reviews = {
  withoutFinding: review({ object: object({}) }),
  /** Leads to one warning, because port 445 is below 1024. */
  oneWarning: review({ object: object({ smb: { enabled: true, port: 445 } }) }),
  /** An update of one port, 3 MB before and 3 MB after. */
  large: review({ operation: 'UPDATE', oldObject: object({}, large), object: object({ nfsPort: 12050 }, large) }),
} as const
