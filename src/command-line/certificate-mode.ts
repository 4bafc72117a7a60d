/** The source of the serving certificate: the operator itself, or files that another program renews. */
export const certificateModes = ['self', 'files'] as const
export type CertificateMode = typeof certificateModes[number]
