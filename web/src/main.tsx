import { render } from "preact";
import { App } from "./App";
import { hasSignInToken } from "./pages/SignIn";
import { checkSession } from "./state/store";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

// A sign-in link is about to change the answer: SignIn asks afterwards.
if (!hasSignInToken()) void checkSession();
render(<App />, document.getElementById("app")!);
