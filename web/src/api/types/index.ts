// What the API says, word for word: camelCase, enum values in kebab-case, times in Unix milliseconds, absent for null.
export type * from "./access";
export type * from "./alerts";
export type * from "./backups";
export type * from "./benchmarks";
export type * from "./boot";
export type * from "./events";
export type * from "./images";
export type * from "./jobs";
export type * from "./nodes";
export type * from "./notifications";
export type * from "./profiles";
export type * from "./schedules";
export type * from "./settings";
export type * from "./status";
