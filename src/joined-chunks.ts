/** The bytes of a body. One chunk, as nearly all bodies have, is not copied. */
export function joinedChunks (chunks: readonly Buffer[]): Buffer {
  const [only] = chunks
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks)
}
