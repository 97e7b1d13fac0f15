/** The words of a text that is written with spaces, commas or on several lines. */
export const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== "");
