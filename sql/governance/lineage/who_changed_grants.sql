-- Who changed a right, an owner or a policy in a catalog, in the last 30 days.
-- Parameter: catalog, for example coinlake_dev.
SELECT
    event_time,
    user_identity.email AS who,
    action_name,
    request_params
FROM system.access.audit
WHERE service_name = 'unityCatalog'
    AND action_name IN ('updatePermissions', 'updateCatalog', 'updateSchema', 'updateTables', 'updateVolume')
    AND TO_JSON(request_params) LIKE CONCAT('%', :catalog, '%')
    AND event_date > CURRENT_DATE() - INTERVAL 30 DAYS
ORDER BY event_time DESC;
