import { isCurrent } from '../embed-lua.mjs';

export const findings = () => (isCurrent() ? [] : ['src/redis/lua.generated.ts is not what lua/ says: run "npm run build" and commit it']);
