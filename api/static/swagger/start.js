// Show the interface's description with Swagger UI, from this service alone: nothing is asked of any other.
"use strict";

window.SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
});
