import type { ImageView } from "../api/types";

/** An image among those of its name. */
export interface ImageVersion {
  image: ImageView;
  /** From 1, the newest. */
  number: number;
  of: number;
}

/** Images of one name together, the newest first; the name that came last at the top. */
export function versionsOf(newestFirst: readonly ImageView[]): ImageVersion[] {
  const names = new Map<string, ImageView[]>();
  for (const image of newestFirst) names.set(image.name, [...(names.get(image.name) ?? []), image]);
  return [...names.values()].flatMap((same) => same.map((image, i) => ({ image, number: i + 1, of: same.length })));
}
