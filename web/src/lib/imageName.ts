/** What a file is called as an image: its name without what says how it is packed. */
export function imageName(fileName: string): string {
  return fileName.replace(/(\.(img|raw|iso|wic|xz|zst|gz))+$/i, "").slice(0, 100);
}

/** Bytes at the beginning of a file that say what it is. */
export const headBytes = 512;

/** How files begin that are taken: packed by xz, zstd (also with a frame before that is to be skipped) and gzip. */
const packed: readonly (readonly number[])[] = [
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0x1f, 0x8b],
];

/**
 * What is wrong with a file as an image, before it is sent; empty: the appliance looks at all of it.
 * @param head Its first bytes.
 */
export function imageFault(name: string, head: Uint8Array): string {
  const begins = (bytes: readonly number[]) => bytes.every((byte, i) => head[i] === byte);
  const isSkipped = (head[0] ?? 0) >> 4 === 5 && [0x2a, 0x4d, 0x18].every((byte, i) => head[i + 1] === byte);
  if (packed.some(begins) || isSkipped || (head[510] === 0x55 && head[511] === 0xaa)) return "";
  return (
    `${name} is no disk image: it has no partition table, and is not packed by xz, zstd or gzip. ` +
    "An archive (.zip, .7z) is unpacked first."
  );
}
