/** For t.mockImport. */

/**
 * @param path of a module of src, without the end of its name; tap gets it as .ts or .js, by the version of Node
 * @returns a module in its place
 */
export function inPlaceOf(path: string, module: object): Record<string, object> {
  return { [`${path}.js`]: module, [`${path}.ts`]: module };
}
