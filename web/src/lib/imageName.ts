/** What a file is called as an image: its name without what says how it is packed. */
export function imageName(fileName: string): string {
  return fileName.replace(/(\.(img|raw|iso|wic|xz|zst|gz))+$/i, "").slice(0, 100);
}
