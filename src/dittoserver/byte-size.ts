const exponents: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4 }

/** Bytes of a size in the syntax of the server's configuration: `1GB` = 10^9, `1GiB` = 2^30. Undefined if the syntax is invalid. */
export function parseByteSize (text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?) ?([kmgt]?)(i?)b?$/i.exec(text)
  if (!match) return undefined
  const [, number = '', unit = '', isBinary] = match
  if (isBinary && !unit) return undefined
  return Number(number) * (isBinary ? 1024 : 1000) ** (exponents[unit.toLowerCase()] ?? 0)
}
