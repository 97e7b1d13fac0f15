import { Notice } from "../../components/Notice";
import { Bar } from "../../components/Progress";
import { bytes, percent } from "../../lib/format";
import { dismissImport, imports } from "../../state/store";
import { sentHere } from "./UploadForm";

/** What the appliance imports at this moment, whoever sent it, and what is to be known of what it has imported. */
export function Imports() {
  return (
    <>
      {imports.value
        .filter((i) => (i.phase !== "done" || i.reason) && !(i.phase !== "done" && i.name === sentHere.value?.name))
        .map((i) => {
          if (i.phase === "refused" || i.phase === "done") {
            return (
              <Notice tone={i.phase === "done" ? "warn" : "bad"} key={i.id}>
                {i.phase === "done" ? `${i.name} was imported. ${i.reason}` : `${i.name} was not imported: ${i.reason}.`}{" "}
                <button type="button" class="plain small" onClick={() => dismissImport(i.id)}>
                  Dismiss
                </button>
              </Notice>
            );
          }
          const fraction = i.total > 0 ? Math.min(1, i.done / i.total) : null;
          return (
            <section class="card" key={i.id} aria-label={`Import of ${i.name}`}>
              <p class="measure">
                <span>
                  {i.name}: {i.phase}
                  {fraction !== null && ` · ${percent(fraction)}`}
                </span>
                <span class="dim">{i.total > 0 ? `${bytes(i.done)} of ${bytes(i.total)}` : bytes(i.done)}</span>
              </p>
              <Bar fraction={fraction} label={`Import of ${i.name}`} />
            </section>
          );
        })}
    </>
  );
}
