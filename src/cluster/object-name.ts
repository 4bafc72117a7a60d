import { dns1123Subdomain } from '../dittoserver/patterns.ts'

const subdomain = new RegExp(dns1123Subdomain)
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/**
 * Whether an object (a Secret, a StorageClass) can have this name. The API server stores no other names, so an illegal name needs no
 * request; and a name such as `..` or `` never becomes part of a URL.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
 */
export const isObjectName = (name: string): boolean => name.length <= 253 && subdomain.test(name)

export const isNamespaceName = (name: string): boolean => name.length <= 63 && label.test(name)
