/** Commands of the documentation that no test runs, by how they begin, and what they would need. THE table of exceptions. */
export const notRun: readonly (readonly [begin: string, why: string])[] = [
  ['docker build ', 'needs a Docker engine'],
  ['kind load ', 'needs a Docker engine'],
  ['npm ci && npm test ', 'is the whole suite, of which this is a part'],
  ['npm run check ', 'is the whole suite, of which this is a part'],
  ['npm ci\n', 'needs the registry of npm'],
  ['cosign ', 'needs a published release'],
  ['gh ', 'needs a published release'],
  ['docker buildx ', 'needs a published release'],
  ['kubectl krew ', 'needs krew, and a published release'],
  ['helm install dittofs-operator "oci:', 'needs a published release'],
  ['sha256sum --check SHA256SUMS', 'needs a published release'],
  ['npm audit signatures', 'needs a published release'],
  ['kubectl apply -k\n', 'is a part of a command'],
  ['kubectl apply --dry-run=server\n', 'is a part of a command'],
  ['kubectl apply --server-side -f install.yaml', 'needs a published release'],
  ['kubectl -n dittofs-system logs ', 'needs a kubelet'],
  ['kubectl cp ', 'needs a kubelet'],
  ['kubectl get perconapgbackup', 'needs the Percona operator'],
  ['kubectl port-forward pod/files-0 8080 12049 1445', 'needs a kubelet'],
  ['kubeconform ', 'needs kubeconform; test/manifests/json-schema.test.ts validates with the same schema'],
  ['sudo mkdir -p /mnt/files', 'belongs to the mount that needs the NFS client of the kernel'],
  ['sudo mount -t nfs', 'needs the NFS client of the kernel; the page has nfs-cp beside it'],
  ['echo hello | sudo tee /mnt/files', 'needs the NFS client of the kernel; the page has nfs-cp beside it'],
  ['sudo mkdir -p /mnt/smb', 'belongs to the mount that needs the SMB client of the kernel'],
  ['sudo mount -t cifs', 'needs the SMB client of the kernel; the page has smbclient beside it'],
  ['cat /mnt/smb/hello.txt', 'needs the SMB client of the kernel; the page has smbclient beside it'],
]

/** The exception for a command. Undefined: it is run. */
export const exceptionOf = (command: string) => notRun.find(([begin]) => `${command}\n`.startsWith(begin))

/** Sections of which another test runs the commands, taken from the text as well. */
export const runElsewhere: readonly (readonly [page: string, section: string, test: string])[] = [
  ['docs/install.md', 'Narrow', 'test/e2e/components.test.ts'],
  ['docs/sandbox.md', 'Start', 'test/e2e/sandbox.test.ts'],
  ['README.md', 'Sandbox', 'test/e2e/sandbox.test.ts'],
  ...['A cluster', 'A server', 'A share', 'A file', 'Without its pod', 'The end'].map(section =>
    ['docs/first-server.md', section, 'test/stories/first-server-page.test.ts'] as const),
]
