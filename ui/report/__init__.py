"""The report editor and the case summary on the page: routes over `assistant.reports`. Door: `ui.report.routes.add_routes`."""
