import { problemText } from "./client";
import type { FileView } from "./types";

/** An upload under way; `done` ends well, or fails with the appliance's own sentence. */
export interface Upload<T = unknown> {
  done: Promise<T>;
  abort: () => void;
}

export type Progress = (sent: number, total: number) => void;

/** Sends a file as the body of a request. fetch() cannot tell how much of it has gone out, so XMLHttpRequest does it. */
function upload<T>(path: string, query: Record<string, string>, file: File, progress: Progress): Upload<T> {
  const request = new XMLHttpRequest();
  request.open("POST", `/api/v1/${path}?${new URLSearchParams(query)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.onprogress = (e) => progress(e.loaded, e.total);
  const done = new Promise<T>((resolve, reject) => {
    request.onload = () =>
      request.status < 300
        ? resolve(JSON.parse(request.responseText) as T)
        : reject(new Error(problemText(request.status, request.responseText)));
    // A refusal in the middle of the body resets the connection in some browsers; its reason comes as an event too.
    request.onerror = () => reject(new Error("The upload was broken off."));
    request.onabort = () => reject(new Error("The upload was cancelled. Nothing was stored."));
  });
  request.send(file);
  return { done, abort: () => request.abort() };
}

/** @param architecture Empty where the image says it itself. */
export function uploadImage(file: File, name: string, architecture: string, progress: Progress): Upload {
  return upload("images", architecture === "" ? { name } : { name, architecture }, file, progress);
}

/** Stores a file that is to be deployed. */
export function uploadFile(file: File, progress: Progress): Upload<FileView> {
  return upload("files", { name: file.name }, file, progress);
}
