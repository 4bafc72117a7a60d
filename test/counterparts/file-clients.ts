import type { Test } from 'tap'
import { programOrSkip } from '../control-plane/find-program.ts'

// Programs that use NFS and SMB in user space: nothing is mounted, so root is not required.

/** `nfs-cp` of libnfs. Where there is none the test is skipped, with how to get it; CI takes that for a failure. */
export const nfsClientOrSkip = async (t: Test) =>
  await programOrSkip(t, 'nfs-cp', 'no nfs-cp: install the package libnfs-utils, or put its path into the variable NFS_CP')

/** `smbclient` of Samba, in the same way. */
export const smbClientOrSkip = async (t: Test) =>
  await programOrSkip(t, 'smbclient', 'no smbclient: install the package smbclient, or put its path into the variable SMBCLIENT')
