import { serve } from '../handler.ts';
import { alterConfigsApi } from '../tables/33-alter-configs.ts';
import { alterResources } from './change-configs.ts';

export const alterConfigsHandler = serve(alterConfigsApi, {
  handle: (request, context) => ({
    responses: alterResources(request, context, (resource) => {
      const entries = new Map<string, string>();
      for (const { name, value } of resource.configs) if (value !== null) entries.set(name, value);
      return entries;
    }),
  }),
});
