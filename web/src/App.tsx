import { useEffect, useRef } from "preact/hooks";
import { Header } from "./components/Header";
import { Empty, Notice } from "./components/Notice";
import { go, location } from "./lib/router";
import { BenchmarkPage } from "./pages/Benchmark";
import { BenchmarksPage } from "./pages/Benchmarks";
import { BoardPage } from "./pages/Board";
import { ComparePage } from "./pages/Compare";
import { ImagesPage } from "./pages/Images";
import { InstallPage } from "./pages/Install";
import { JobPage } from "./pages/Job";
import { JobsPage } from "./pages/Jobs";
import { NodePage } from "./pages/Node";
import { NodesPage } from "./pages/Nodes";
import { RackPage } from "./pages/Rack";
import { SchedulesPage } from "./pages/Schedules";
import { SettingsPage } from "./pages/Settings";
import { hasSignInToken, SignIn } from "./pages/SignIn";
import { signedIn } from "./state/session";
import { connection, disk, end, loaded, start } from "./state/store";

function Page() {
  const [, page, id, more] = location.value.path.split("/");
  if (id === undefined || id === "") {
    switch (page) {
      case "nodes":
        return <NodesPage />;
      case "rack":
        return <RackPage />;
      case "images":
        return <ImagesPage />;
      case "jobs":
        return <JobsPage />;
      case "compare":
        return <ComparePage />;
      case "benchmarks":
        return <BenchmarksPage />;
      case "schedules":
        return <SchedulesPage />;
      case "settings":
        return <SettingsPage />;
      case "install":
        return <InstallPage />;
    }
  } else if (page === "nodes") return <NodePage key={id} id={decodeURIComponent(id)} />;
  else if (page === "boards") return <BoardPage key={id} mac={decodeURIComponent(id)} />;
  else if (page === "settings") return <SettingsPage part={id} name={more === undefined ? undefined : decodeURIComponent(more)} />;
  else if (page === "benchmarks") return <BenchmarkPage key={id} task={decodeURIComponent(id)} />;
  else if (page === "jobs") return <JobPage key={id} id={id} />;
  return (
    <Empty title="There is no such page">
      <p>
        <a href="/nodes">Go to the nodes</a>
      </p>
    </Empty>
  );
}

/** '/' goes to the page's search field, as everywhere. */
function focusSearch(e: KeyboardEvent): void {
  const target = e.target as HTMLElement;
  if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || target.closest("input, textarea, select, dialog") !== null) return;
  const field = document.querySelector<HTMLInputElement>("input[type=search]");
  if (field) {
    e.preventDefault();
    field.focus();
    field.select();
  }
}

export function App() {
  const here = signedIn.value;
  const { path } = location.value;
  const wantsSignIn = hasSignInToken();

  useEffect(() => {
    document.addEventListener("keydown", focusSearch);
    return () => document.removeEventListener("keydown", focusSearch);
  }, []);
  useEffect(() => {
    if (here && !wantsSignIn && (path === "/" || path === "/sign-in")) go("/nodes", true);
  }, [here, wantsSignIn, path]);
  const shownPath = useRef(path);
  useEffect(() => {
    // As after a page is loaded: whoever goes by keyboard or ear begins at the new page, not behind the link that led there.
    if (path !== shownPath.current) document.querySelector("main")?.focus({ preventScroll: true });
    shownPath.current = path;
  }, [path]);
  useEffect(() => {
    if (here) start();
    else end();
  }, [here]);

  if (wantsSignIn || here === false) return <SignIn />;
  if (here === null) {
    return connection.value === "lost" ? (
      <main class="sign-in">
        <Notice tone="bad">The appliance does not answer. Is it running, and can this machine reach it?</Notice>
      </main>
    ) : null;
  }
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        {connection.value === "lost" && loaded.value && (
          <Notice tone="warn">The appliance does not answer: what you see may be old. Trying again …</Notice>
        )}
        {disk.value === "full" && (
          <Notice tone="bad">
            The appliance's disk is full: nothing can be changed, and what is due waits. Free some space on it, for example by deleting
            images.
          </Notice>
        )}
        {disk.value === "failing" && (
          <Notice tone="bad">
            The appliance's disk does not work: nothing can be changed, and what is due waits. Read the appliance's log, and copy what can
            still be read to another disk.
          </Notice>
        )}
        {loaded.value ? (
          <Page />
        ) : (
          <p class="dim" role="status">
            Reading …
          </p>
        )}
      </main>
    </>
  );
}
