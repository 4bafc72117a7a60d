/** Where the serving certificate comes from: the operator itself, or files that somebody else renews. */
export const certificateModes = ['self', 'files'] as const
export type CertificateMode = typeof certificateModes[number]
