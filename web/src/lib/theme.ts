import { effect, signal } from "@preact/signals";

type Theme = "system" | "light" | "dark";

const key = "theme";

function stored(): Theme {
  const value = localStorage.getItem(key);
  return value === "light" || value === "dark" ? value : "system";
}

/** What the reader chose; "system" follows the machine. */
export const theme = signal<Theme>(stored());

const machineIsDark = window.matchMedia("(prefers-color-scheme: dark)");

export function isDark(): boolean {
  return theme.value === "system" ? machineIsDark.matches : theme.value === "dark";
}

/** Switches to the other look; choosing what the machine has means following it again. */
export function toggleTheme(): void {
  const dark = !isDark();
  theme.value = dark === machineIsDark.matches ? "system" : dark ? "dark" : "light";
}

effect(() => {
  if (theme.value === "system") {
    localStorage.removeItem(key);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(key, theme.value);
    document.documentElement.dataset.theme = theme.value;
  }
});
