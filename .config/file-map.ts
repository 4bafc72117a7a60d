/** The code with a source map that names its file but no lines: those of all dependencies would make the map five times as large. */
export function withFileMap (code: string, file: string): string {
  const map = Buffer.from(JSON.stringify({ version: 3, sources: [file], mappings: 'AAAA' })).toString('base64')
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${map}\n`
}
