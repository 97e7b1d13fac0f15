import { render } from "preact";
import { App } from "./App";
import { holdFocus } from "./lib/focus";
import { hasSignInToken } from "./pages/SignIn";
import { checkSession } from "./state/store";
import "./style/base.css";
import "./style/parts.css";
import "./style/settings.css";
import "./style/rack.css";
import "./style/charts.css";
import "./style/pages.css"; // last: what it says of narrow windows holds for all

// A sign-in link is about to change the answer: SignIn asks afterwards.
if (!hasSignInToken()) void checkSession();
holdFocus();
render(<App />, document.getElementById("app")!);
