// npm run build: installs what is missing and compiles everything.

import { build, ensureInstalled } from './lib.mjs';

ensureInstalled();
build();
