<?php
// Runs statements in PHP's SQLite3 with the extension loaded: see ask.py. PHP loads extensions from the folder that
// sqlite3.extension_dir names, by name.
ini_set('serialize_precision', '-1');
[, $library, $database] = $argv;
$statements = json_decode(stream_get_contents(STDIN));
$connection = new SQLite3($database);
$connection->enableExceptions(true);
$connection->loadExtension(basename($library));
$answers = [];
foreach ($statements as $statement) {
    try {
        $rows = [];
        $result = $connection->query($statement);
        while (is_array($row = $result->fetchArray(SQLITE3_NUM))) {
            $rows[] = $row;
        }
        $answers[] = $rows;
    } catch (Exception $error) {
        $answers[] = ['error' => $error->getMessage()];
    }
}
$connection->close();
echo json_encode(['sqlite' => SQLite3::version()['versionString'], 'answers' => $answers]);
