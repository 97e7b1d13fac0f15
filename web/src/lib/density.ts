import { effect } from "@preact/signals";
import { remembered } from "./remembered";

export type Density = "comfortable" | "compact";

/** How close the rows of tables stand. */
export const density = remembered<Density>("density", "comfortable", (v): v is Density => v === "comfortable" || v === "compact");

effect(() => {
  document.documentElement.dataset.density = density.value;
});
