// docs/compatibility.md says what the comparison with BullMQ's declarations finds.

import { isCurrent } from '../compatibility.mjs';

export const findings = async () => ((await isCurrent()) ? [] : ['docs/compatibility.md is not current: run "node .ci/compatibility.mjs"']);
