<?php
// new-database.php FILE: roundcube's tables in a new database.
$database = new PDO("sqlite:$argv[1]");
$database->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
$database->exec(file_get_contents('/usr/share/roundcube/SQL/sqlite.initial.sql'));
