/** docs/interop-matrix.md says what the tests of the engine's peers have written down. */
import { test } from 'tap';
import { SCENARIOS } from '../support/engine-scenarios.js';
import { checkDocument } from '../support/interop-findings.js';

test('docs/interop-matrix.md shows every finding', async (t) => checkDocument(t, Object.keys(SCENARIOS)));
