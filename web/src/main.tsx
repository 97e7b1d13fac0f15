import { render } from "preact";
import { App } from "./App";
import { checkSession } from "./state/store";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

void checkSession();
render(<App />, document.getElementById("app")!);
