import minimal from '../../../manifests/samples/minimal.yaml'
import mistakes from '../../../manifests/samples/mistakes.yaml'
import production from '../../../manifests/samples/production.yaml'
import s3 from '../../../manifests/samples/s3.yaml'

/** Those of the repository. */
export const samples: readonly { readonly name: string, readonly text: string }[] = [
  { name: 'minimal', text: minimal },
  { name: 'production', text: production },
  { name: 's3', text: s3 },
  { name: 'mistakes', text: mistakes },
]
