#!/usr/bin/env node
// The command `deltabase`.

import '../dist/src/main.js';
